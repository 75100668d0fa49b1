-- Where nothing on a list says which number of its dates is the day, it has two readings; the event decides.
with stated as (

    select
        stated_event,
        list_name,
        place_words,
        event_code,
        event_title,
        held_on,
        max(held_on_otherwise) as held_on_otherwise,
        min(order_of_days) as order_of_days
    from {{ ref('stg_attendance_lists__attendances') }}
    group by stated_event, list_name, place_words, event_code, event_title, held_on

),

readings as (

    select stated_event, event_code, event_title, 1 as reading, held_on as day from stated where held_on is not null

    union all

    select
        stated_event,
        event_code,
        event_title,
        case when order_of_days = 'declared' then 2 else 1 end as reading,
        held_on_otherwise as day
    from stated
    where held_on_otherwise is not null

),

events as (

    select
        event_id,
        coalesce(nullif(trim(event_code), ''), event_id) as event_label,
        lower(trim(event_code)) as event_code,
        '%-' || replace(replace(replace(lower(trim(event_code)), ' ', '-'), '_', '-'), '/', '-') || '-%' as in_words,
        lower(trim(event_name)) as event_title,
        started_on,
        coalesce(ended_on, started_on) as ended_on,
        count(*) over (partition by lower(trim(event_name))) as same_title
    from {{ ref('stg_zoho_crm__events') }}

),

-- What a list says in a column or above its table goes before its name, and a code before a title. Of a title the day by the
-- declared order goes before the other one; a title that no other event has names its event on whatever day.
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

    select r.stated_event, 2 + r.reading, e.event_id
    from readings as r
    join events as e on e.event_title = r.event_title and r.day >= e.started_on and r.day <= e.ended_on
    where r.event_code is null

    union all

    select r.stated_event, 5, e.event_id
    from readings as r
    join events as e on e.event_title = r.event_title and e.same_title = 1
    where r.event_code is null

),

best as (

    select stated_event, count(distinct event_id) as events, min(event_id) as event_id
    from (
        select c.*, min(c.place) over (partition by c.stated_event) as first_place
        from candidates as c
    ) as ranked
    where place = first_place
    group by stated_event

),

named as (

    select
        s.*,
        coalesce(b.events, 0) as events,
        e.event_id as named_event,
        e.event_label,
        e.started_on,
        e.ended_on,
        case
            when s.held_on < e.started_on then {{ days_between('s.held_on', 'e.started_on') }}
            when s.held_on > e.ended_on then {{ days_between('e.ended_on', 's.held_on') }}
            when s.held_on is not null then 0
        end as days_apart,
        case
            when s.held_on_otherwise < e.started_on then {{ days_between('s.held_on_otherwise', 'e.started_on') }}
            when s.held_on_otherwise > e.ended_on then {{ days_between('e.ended_on', 's.held_on_otherwise') }}
            when s.held_on_otherwise is not null then 0
        end as days_apart_otherwise
    from stated as s
    left join best as b on b.stated_event = s.stated_event
    left join events as e on e.event_id = b.event_id and b.events = 1

),

-- A day more or less is a time zone.
judged as (

    select
        n.*,
        coalesce(days_apart_otherwise <= 1 and days_apart_otherwise < days_apart, false) as is_read_otherwise,
        case
            when events = 0 and event_code is not null then 'code'
            when events = 0 then 'none'
            when events > 1 then 'several'
            when days_apart > 1 and coalesce(days_apart_otherwise, 2) > 1 then 'day'
        end as trouble_kind,
        'on ' || cast(started_on as text)
        || case when ended_on > started_on then ' to ' || cast(ended_on as text) else '' end as event_days
    from named as n

)

select
    stated_event,
    list_name,
    event_code,
    case when is_read_otherwise then held_on_otherwise else held_on end as held_on,
    case when is_read_otherwise then held_on else held_on_otherwise end as held_on_otherwise,
    is_read_otherwise,
    trouble_kind,
    case trouble_kind
        when 'code' then 'no event has the code of the list'
        when 'none' then 'no event is named by the list, by code or by title and day'
        when 'several' then 'several events fit the list'
        when 'day' then 'the list is of another day than its event'
    end
    || case
        when held_on is null then ''
        when held_on_otherwise is null then ' (the list is of ' || cast(held_on as text)
        else ' (the list is of ' || cast(held_on as text) || ' or ' || cast(held_on_otherwise as text)
            || ', as day and month could change places'
    end
    || case when trouble_kind = 'day' then '; ' || event_label || ' is ' || coalesce(event_days, 'without a day') else '' end
    || case when held_on is null then '' else ')' end as trouble,
    named_event,
    case when trouble_kind is null then named_event end as event_id
from judged
