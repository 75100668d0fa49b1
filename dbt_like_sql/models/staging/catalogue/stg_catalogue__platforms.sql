select platform, title as platform_title, kind
from {{ source('catalogue', 'platforms') }}
where not _is_deleted
