select
    response_id,
    survey,
    event_code,
    status,
    language,
    overall_satisfaction as satisfaction_answer,
    gender as gender_answer,
    open_comment,
    other_answers,
    cast(recommendation as integer) as recommendation,
    cast(started_at as timestamp) as started_at,
    cast(completed_at as timestamp) as completed_at
from {{ source('zoho_survey', 'responses') }}
where not _is_deleted
