select
    id as coding_id,
    comment as comment_id,
    theme_1,
    theme_2,
    agreed_theme
from {{ source('workbook', 'comments') }}
where not _is_deleted
