select
    tool || '|' || response_id as response_key,
    tool,
    response_id,
    survey,
    event_code,
    status,
    language,
    overall_satisfaction as satisfaction_answer,
    satisfaction_key,
    satisfaction_kind,
    gender as gender_answer,
    gender_key,
    city_key,
    country,
    open_comment,
    other_answers,
    gender_asked = 'true' as is_gender_asked,
    cast(satisfaction_score as double precision) as satisfaction_score,
    cast(recommendation as integer) as recommendation,
    cast(started_at as timestamp) as started_at,
    cast(completed_at as timestamp) as completed_at
from {{ source('surveys', 'responses') }}
where not _is_deleted
