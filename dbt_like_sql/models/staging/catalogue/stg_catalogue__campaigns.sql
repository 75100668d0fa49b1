select campaign_id, name as campaign_name, kind, lower(hashtag) as hashtag
from {{ source('catalogue', 'campaigns') }}
where not _is_deleted
