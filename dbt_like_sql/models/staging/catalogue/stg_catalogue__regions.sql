select cast(position as integer) as position, name_en, name_fr, name_es
from {{ source('catalogue', 'regions') }}
where not _is_deleted
