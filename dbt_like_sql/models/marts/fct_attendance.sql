with genders as (

    select label_key, min(code) as code
    from {{ ref('stg_catalogue__scale_labels') }}
    where scale = 'gender'
    group by label_key

),

stays as (

    select
        a.stay_key,
        m.event_id,
        a.person_key,
        a.list_name,
        a.role,
        case when m.is_read_otherwise then a.joined_second_otherwise else a.joined_second end as joined_second,
        case when m.is_read_otherwise then a.left_second_otherwise else a.left_second end as left_second,
        a.seconds,
        case when g.code <> 'undisclosed' then g.code end as gender
    from {{ ref('stg_attendance_lists__attendances') }} as a
    join {{ ref('int_attendance_event') }} as m on m.stated_event = a.stated_event
    left join genders as g on g.label_key = a.gender_key
    where m.event_id is not null

),

-- Of each stay, when the stays before it had ended: two devices at a time, and a report downloaded twice, add nothing.
timed as (

    select
        event_id,
        person_key,
        joined_second,
        left_second,
        max(left_second) over (
            partition by event_id, person_key
            order by joined_second, left_second, stay_key
            rows between unbounded preceding and 1 preceding
        ) as before_own,
        max(left_second) over (
            partition by event_id
            order by joined_second, left_second, stay_key
            rows between unbounded preceding and 1 preceding
        ) as before_any
    from stays
    where joined_second is not null and left_second is not null

),

by_clock as (

    select
        event_id,
        person_key,
        sum(greatest(left_second - greatest(joined_second, coalesce(before_own, joined_second)), 0)) as seconds
    from timed
    group by event_id, person_key

),

-- Lists that give lengths without times: several stays of one list add up, two lists may be the same.
by_list as (

    select event_id, person_key, max(seconds) as seconds
    from (
        select event_id, person_key, list_name, sum(seconds) as seconds
        from stays
        where joined_second is null and seconds is not null
        group by event_id, person_key, list_name
    ) as lists
    group by event_id, person_key

),

open_for as (

    select
        event_id,
        sum(greatest(left_second - greatest(joined_second, coalesce(before_any, joined_second)), 0)) as seconds
    from timed
    group by event_id

),

longest as (

    select event_id, max(seconds) as seconds
    from by_list
    group by event_id

),

-- A gender stated on one list holds for the person on every list: the one stated last.
stated as (

    select person_key, gender
    from (
        select
            s.person_key,
            s.gender,
            row_number() over (
                partition by s.person_key order by e.started_on desc nulls last, s.stay_key desc nulls last
            ) as place
        from stays as s
        join {{ ref('dim_event') }} as e on e.event_id = s.event_id
        where s.gender is not null
    ) as ranked
    where place = 1

),

people as (

    select
        event_id,
        person_key,
        max(case when seconds is null then 1 else 0 end) as is_signed,
        max(case when role = 'Organiser' then 1 else 0 end) as is_organiser
    from stays
    group by event_id, person_key

),

measured as (

    select
        p.event_id,
        p.person_key,
        p.is_signed = 1 as is_signed,
        case when p.is_organiser = 1 then 'Organiser' else 'Participant' end as role,
        case
            when c.seconds is not null or l.seconds is not null then greatest(coalesce(c.seconds, 0), coalesce(l.seconds, 0))
        end as seconds,
        coalesce(o.seconds, w.seconds) as open_seconds,
        v.planned_seconds
    from people as p
    left join by_clock as c on c.event_id = p.event_id and c.person_key = p.person_key
    left join by_list as l on l.event_id = p.event_id and l.person_key = p.person_key
    left join open_for as o on o.event_id = p.event_id
    left join longest as w on w.event_id = p.event_id
    left join (
        select
            event_id,
            {{ seconds_between('started_at_utc', 'ended_at_utc') }} as planned_seconds
        from {{ ref('stg_zoho_crm__events') }}
    ) as v on v.event_id = p.event_id

),

weighed as (

    select
        m.event_id,
        m.person_key,
        m.is_signed,
        m.role,
        m.seconds,
        case
            when m.planned_seconds > 0 and m.open_seconds > m.planned_seconds then m.planned_seconds
            else coalesce(m.open_seconds, m.planned_seconds)
        end as event_seconds
    from measured as m

)

select
    w.event_id || '|' || w.person_key as attendance_key,
    w.event_id,
    w.person_key,
    w.role,
    coalesce(s.gender, 'undisclosed') as gender,
    e.event_type,
    e.programme,
    cast(w.seconds as bigint) as seconds,
    cast(w.event_seconds as bigint) as event_seconds,
    w.is_signed
    or coalesce(
        w.seconds > 0
        and w.seconds >= {{ var('least_attendance_seconds') }}
        and 100 * w.seconds >= {{ var('least_attendance_pct') }} * coalesce(w.event_seconds, w.seconds),
        false
    ) as has_attended,
    e.is_held,
    e.is_organised_by_network,
    e.started_on
from weighed as w
join {{ ref('dim_event') }} as e on e.event_id = w.event_id
left join stated as s on s.person_key = w.person_key
