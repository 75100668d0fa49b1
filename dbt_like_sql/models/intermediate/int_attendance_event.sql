with stated as (

    select distinct stated_event, list_name, place_words, event_code, event_title, held_on
    from {{ ref('stg_attendance_lists__attendances') }}

),

events as (

    select
        event_id,
        lower(trim(event_code)) as event_code,
        '%-' || replace(replace(replace(lower(trim(event_code)), ' ', '-'), '_', '-'), '/', '-') || '-%' as in_words,
        lower(trim(event_name)) as event_title,
        started_on,
        ended_on
    from {{ ref('stg_zoho_crm__events') }}

),

-- What a list says in a column or above its table goes before its name, and a code before a title.
candidates as (

    select s.stated_event, 1 as place, e.event_id
    from stated as s
    join events as e on e.event_code = s.event_code

    union all

    select s.stated_event, 2, e.event_id
    from stated as s
    join events as e on s.place_words like e.in_words
    where s.event_code is null

    union all

    select s.stated_event, 3, e.event_id
    from stated as s
    join events as e on e.event_title = s.event_title and e.started_on = s.held_on
    where s.event_code is null

),

best as (

    select stated_event, place, count(distinct event_id) as events, min(event_id) as event_id
    from (
        select c.*, min(c.place) over (partition by c.stated_event) as first_place
        from candidates as c
    ) as ranked
    where place = first_place
    group by stated_event, place

),

judged as (

    select
        s.stated_event,
        s.list_name,
        s.held_on,
        b.event_id,
        case
            when b.events is null and s.event_code is not null then 'no event has the code of the list'
            when b.events is null then 'no event is named by the list, by code or by title and day'
            when b.events > 1 then 'several events fit the list'
            when s.held_on is not null
                and (
                    {{ days_between('s.held_on', 'e.started_on') }} > 1
                    or {{ days_between('e.ended_on', 's.held_on') }} > 1
                ) then 'the list is of another day than its event'
        end as trouble
    from stated as s
    left join best as b on b.stated_event = s.stated_event
    left join events as e on e.event_id = b.event_id

)

select
    stated_event,
    list_name,
    held_on,
    trouble,
    case when trouble is null then event_id end as event_id
from judged
