select *
from {{ ref('stg_catalogue__lines_of_action') }}
