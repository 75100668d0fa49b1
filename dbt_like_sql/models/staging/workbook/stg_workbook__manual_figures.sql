select
    id as figure_id,
    indicator as indicator_id,
    period,
    coalesce(dimension, 'total') as dimension,
    case when dimension is not null then category end as category,
    cast(value as double precision) as value,
    cast(numerator as double precision) as numerator,
    cast(denominator as double precision) as denominator,
    cast(people as double precision) as people,
    evidence,
    note,
    _source_ref as stated_in
from {{ source('workbook', 'manual_figures') }}
where not _is_deleted
