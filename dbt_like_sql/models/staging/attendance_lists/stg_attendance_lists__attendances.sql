select
    list_name || '|' || list_row as stay_key,
    list_name || '|' || coalesce(event_code, '') || '|' || coalesce(event_title, '') || '|' || coalesce(held_on, '')
        as stated_event,
    list_name,
    cast(list_row as integer) as list_row,
    tool,
    place_words,
    lower(trim(event_code)) as event_code,
    lower(trim(event_title)) as event_title,
    cast(held_on as date) as held_on,
    cast(held_on_otherwise as date) as held_on_otherwise,
    coalesce(order_of_days, 'certain') as order_of_days,
    person as person_key,
    role,
    gender as gender_answer,
    gender_key,
    gender_asked = 'true' as is_gender_asked,
    cast(joined_second as bigint) as joined_second,
    cast(left_second as bigint) as left_second,
    cast(joined_second_otherwise as bigint) as joined_second_otherwise,
    cast(left_second_otherwise as bigint) as left_second_otherwise,
    cast(seconds as bigint) as seconds
from {{ source('attendance_lists', 'attendances') }}
where not _is_deleted
