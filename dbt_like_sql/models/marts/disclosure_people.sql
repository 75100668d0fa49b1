{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='quarter', on_schema_change='fail') }}
with periods as ({{ current_periods() }}),

-- A moderator of six panels is one person.
speakers as (

    select distinct p.period, f.person_key, f.gender, f.programme
    from periods as p
    join {{ ref('fct_participation') }} as f
        on f.started_on >= p.starts_on and f.started_on <= p.as_of_on
    where {{ is_speaker_slot('f') }}

),

-- In all, and by programme, where somebody may speak in several.
speakers_placed as (

    select distinct period, 'total' as dimension, cast(null as text) as category, person_key, gender from speakers
    union all
    select period, 'programme', programme, person_key, gender from speakers where programme is not null

),

speakers_by_gender as (

    select
        period,
        dimension,
        category,
        count(case when gender = 'woman' then 1 end) as women,
        count(case when gender = 'man' then 1 end) as men,
        count(case when gender = 'non_binary' then 1 end) as non_binary,
        count(case when gender = 'undisclosed' then 1 end) as undisclosed,
        count(case when gender <> 'undisclosed' then 1 end) as stated,
        count(*) as everybody
    from speakers_placed
    group by period, dimension, category

),

-- Answers to two questions, each by those who answered it.
answered as (

    {% for group, answer, counted in [('survey_answers', 'satisfaction_answer', 'score'), ('recommendations', 'recommendation', 'recommendation')] %}
    {% if not loop.first %}union all{% endif %}
    select p.period, '{{ group }}' as disclosure_group, r.event_id, r.event_type, r.programme, count(r.{{ counted }}) as answers
    from periods as p
    join {{ ref('fct_survey_response') }} as r
        on r.occurred_on >= p.starts_on and r.occurred_on <= p.as_of_on
    where r.{{ answer }} is not null
    group by p.period, r.event_id, r.event_type, r.programme
    {% endfor %}

),

invited as (

    select distinct p.period, f.event_id, f.person_key
    from periods as p
    join {{ ref('fct_participation') }} as f
        on f.started_on >= p.starts_on and f.started_on <= p.as_of_on
    where f.is_held and f.has_attended and f.is_survey_invited

),

invitations as (

    select period, event_id, count(*) as people
    from invited
    group by period, event_id

),

-- Surveys are anonymous: nobody knows who answered, only who was invited. An event with more answers than people
-- invited had others who answered, so there every answer counts as a person.
surveys as (

    select
        a.period, a.disclosure_group, a.event_id, a.event_type, a.programme, a.answers,
        coalesce(a.answers <= i.people, false) as is_by_invitation
    from answered as a
    left join invitations as i on i.period = a.period and i.event_id = a.event_id

),

placed as (

    select period, disclosure_group, 'total' as dimension, '' as category, event_id, answers, is_by_invitation
    from surveys
    union all
    select period, disclosure_group, 'activity_type', event_type, event_id, answers, is_by_invitation
    from surveys
    union all
    select period, disclosure_group, 'programme', programme, event_id, answers, is_by_invitation
    from surveys
    where programme is not null

),

answers as (

    select
        period,
        disclosure_group,
        dimension,
        category,
        sum(case when is_by_invitation then answers else 0 end) as by_invitation,
        sum(case when is_by_invitation then 0 else answers end) as others
    from placed
    group by period, disclosure_group, dimension, category

),

who_could_answer as (

    select s.period, s.disclosure_group, s.dimension, s.category, count(distinct i.person_key) as people
    from placed as s
    join invited as i on i.period = s.period and i.event_id = s.event_id
    where s.is_by_invitation
    group by s.period, s.disclosure_group, s.dimension, s.category

),

respondents as (

    select
        a.period,
        a.disclosure_group,
        a.dimension,
        nullif(a.category, '') as category,
        least(a.by_invitation, coalesce(w.people, 0)) + a.others as people
    from answers as a
    left join who_could_answer as w
        on w.period = a.period
        and w.disclosure_group = a.disclosure_group
        and w.dimension = a.dimension
        and w.category = a.category

),

-- Somebody at six trainings is one person.
trained as (

    select period, dimension, category, count(distinct person_key) as people
    from ({{ trainees() }}) as t
    group by period, dimension, category

),

cells as (

    select
        period, 'speakers' as disclosure_group, dimension, category,
        stated as people, case when dimension = 'total' then women end as members
    from speakers_by_gender
    {% for count, label in [('women', 'Woman'), ('men', 'Man'), ('non_binary', 'Non-binary')] %}
    union all
    select period, 'speakers', 'gender', '{{ label }}', stated, {{ count }}
    from speakers_by_gender
    where dimension = 'total'
    {% endfor %}
    union all
    select period, 'speakers', 'gender', 'Undisclosed', everybody, undisclosed
    from speakers_by_gender
    where dimension = 'total'
    union all
    select period, disclosure_group, dimension, category, people, null from respondents
    {% for score in ['1', '2', '3', '4', '5'] %}
    union all
    select period, disclosure_group, 'answer', '{{ score }}', people, null
    from respondents
    where dimension = 'total' and disclosure_group = 'survey_answers'
    {% endfor %}
    {% for class in ['Promoters', 'Passives', 'Detractors'] %}
    union all
    select period, disclosure_group, 'recommendation', '{{ class }}', people, null
    from respondents
    where dimension = 'total' and disclosure_group = 'recommendations'
    {% endfor %}
    union all
    select period, 'training_attendances', dimension, nullif(category, ''), people, null from trained
    union all
    -- Each manual indicator is a group of its own: nobody knows which people two of them share.
    select
        m.period, 'stated_' || lower(replace(m.indicator_id, '-', '_')), m.dimension, m.category, m.n, null
    from {{ ref('manual_values') }} as m
    join {{ ref('dim_indicator') }} as i on i.indicator_id = m.indicator_id and i.is_about_people
    where m.quarter = '{{ var("quarter") }}' and m.status = 'ok'

)

select
    c.period,
    p.quarter,
    cast(c.disclosure_group as text) as disclosure_group,
    cast(c.dimension as text) as dimension,
    cast(c.category as text) as category,
    cast(c.people as bigint) as people,
    cast(c.members as bigint) as members
from cells as c
join periods as p on p.period = c.period
