select cast(number as integer) as number, name_en
from {{ source('catalogue', 'lines_of_action') }}
where not _is_deleted
