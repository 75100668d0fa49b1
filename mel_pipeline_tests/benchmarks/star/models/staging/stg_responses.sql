select
    tool || '|' || response_id as response_key,
    tool,
    event_code,
    status,
    language,
    overall_satisfaction is not null as is_answered,
    satisfaction_key,
    gender_key,
    city_key,
    open_comment is not null as has_comment,
    gender_asked = 'true' as is_gender_asked,
    cast(recommendation as integer) as recommendation,
    cast(cast(started_at as timestamp) as date) as answered_on
from {{ source('surveys', 'responses') }}
where not _is_deleted
