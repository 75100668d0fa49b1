select platform, metric, title as metric_title, counts, is_additive = 'true' as is_additive
from {{ source('catalogue', 'metrics') }}
where not _is_deleted
