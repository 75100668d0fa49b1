select
    cast(position as integer) as position,
    name_en,
    cast(map_column as integer) as map_column,
    cast(map_row as integer) as map_row
from {{ source('catalogue', 'regions') }}
where not _is_deleted
