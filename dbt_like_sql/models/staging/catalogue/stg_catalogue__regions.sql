select cast(position as integer) as position, name_en
from {{ source('catalogue', 'regions') }}
where not _is_deleted
