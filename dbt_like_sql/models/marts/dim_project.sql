select
    project_id,
    name_en,
    coalesce(name_fr, name_en) as name_fr,
    coalesce(name_es, name_en) as name_es,
    coalesce(name_ca, name_en) as name_ca,
    coalesce(donor, 'Not stated') as donor,
    coalesce(cast(line as text), 'Not stated') as line_of_action,
    cities,
    partners,
    status,
    starts_on,
    ends_on,
    currency,
    document,
    stated_in
from {{ ref('stg_workbook__projects') }}
