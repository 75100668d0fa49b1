{{ config(severity='warn') }}
select figure_id
from {{ ref('stg_workbook__manual_figures') }}
where indicator_id not in (select indicator_id from {{ ref('dim_indicator') }} where is_stated)
