with coded as (

    select p.period, p.grain, p.starts_on, c.theme, c.event_id, count(*) as comments
    from {{ ref('dim_period') }} as p
    join {{ ref('fct_comment') }} as c on c.occurred_on >= p.starts_on and c.occurred_on <= p.as_of_on
    where c.theme is not null
    group by p.period, p.grain, p.starts_on, c.theme, c.event_id

),

invited as (

    select distinct event_id, person_key
    from {{ ref('fct_participation') }}
    where is_held and has_attended and is_survey_invited

),

invitations as (

    select event_id, count(*) as people from invited group by event_id

),

-- Surveys are anonymous: people who answered cannot be more than were invited, unless an event had others who answered.
placed as (

    select c.*, coalesce(c.comments <= i.people, false) as is_by_invitation
    from coded as c
    left join invitations as i on i.event_id = c.event_id

),

who_could_write as (

    select p.period, p.theme, count(distinct i.person_key) as people
    from placed as p
    join invited as i on i.event_id = p.event_id
    where p.is_by_invitation
    group by p.period, p.theme

),

counted as (

    select
        period,
        grain,
        starts_on,
        theme,
        sum(comments) as comments,
        sum(case when is_by_invitation then comments else 0 end) as by_invitation,
        sum(case when is_by_invitation then 0 else comments end) as others
    from placed
    group by period, grain, starts_on, theme

),

people as (

    select
        c.period,
        c.grain,
        c.starts_on,
        c.theme,
        c.comments,
        least(c.by_invitation, coalesce(w.people, 0)) + c.others as people
    from counted as c
    left join who_could_write as w on w.period = c.period and w.theme = c.theme

)

select
    p.period,
    p.theme,
    cast(p.comments as bigint) as comments,
    cast(p.people as bigint) as people,
    -- Of a year also its smallest quarter: year and other quarters together would tell it.
    cast(least(p.people, coalesce(min(q.people), p.people)) as bigint) as least_people
from people as p
left join people as q
    on p.grain = 'year'
    and q.grain = 'quarter'
    and q.theme = p.theme
    and extract(year from q.starts_on) = extract(year from p.starts_on)
group by p.period, p.theme, p.comments, p.people
