select
    scale,
    label_key,
    min(kind) as kind,
    min(cast(score as integer)) as score,
    min(code) as code
from {{ source('catalogue', 'scale_labels') }}
where not _is_deleted
group by scale, label_key
