select scale, label, label_key, kind, cast(score as integer) as score, code
from {{ source('catalogue', 'scale_labels') }}
where not _is_deleted
