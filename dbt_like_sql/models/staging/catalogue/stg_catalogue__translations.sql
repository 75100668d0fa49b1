select subject, code, field, language, text
from {{ source('catalogue', 'translations') }}
where not _is_deleted
