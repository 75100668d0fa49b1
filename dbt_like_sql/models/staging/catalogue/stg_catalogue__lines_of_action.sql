select cast(number as integer) as number, name_en, name_fr, name_es
from {{ source('catalogue', 'lines_of_action') }}
where not _is_deleted
