select
    id as figure_id,
    indicator as indicator_id,
    period,
    coalesce(dimension, 'total') as dimension,
    case when dimension is not null then category end as category,
    cast(value as double precision) as value,
    document,
    page,
    note,
    _source_ref as stated_in
from {{ source('workbook', 'earlier_figures') }}
where not _is_deleted
