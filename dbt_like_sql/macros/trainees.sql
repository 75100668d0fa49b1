{# People at trainings, and which trainings have a list. One place for what "trained" means. #}

{#
  Each person at each training of a period, once for the total and once for its programme.
  A table expression with period, dimension, category, person_key, attendance_key, gender.
#}
{% macro trainees() %}
    select t.period, d.dimension, case when d.dimension = 'total' then '' else t.programme end as category,
        t.person_key, t.attendance_key, t.gender
    from (
        select p.period, f.person_key, f.attendance_key, f.gender, f.programme
        from periods as p
        join {{ ref('fct_attendance') }} as f
            on f.started_on >= p.starts_on and f.started_on <= p.as_of_on
        where f.event_type = 'Training'
            and f.is_held
            and f.is_organised_by_network
            and f.has_attended
            and f.role = 'Participant'
    ) as t
    join (select 'total' as dimension union all select 'programme') as d
        on d.dimension = 'total' or t.programme is not null
{% endmacro %}

{#
  How many trainings were held, and how many have a list of a known event, in all and by programme. Without a list of any
  of them there is no figure, and no zero. Without a training it is zero, where lists are kept at all.
#}
{% macro training_lists() %}
    select
        h.period,
        h.dimension,
        h.category,
        nullif(h.trainings, 0) as expected,
        case when h.trainings > 0 then h.listed end as covered,
        h.listed > 0 or (h.trainings = 0 and exists (select 1 from {{ ref('fct_attendance') }})) as is_known,
        case
            when h.listed > 0 and h.listed < h.trainings
                then cast(h.trainings - h.listed as text) || ' of ' || cast(h.trainings as text)
                    || ' trainings have no attendance list.'
        end as note
    from (
        {% for dimension, category in [('total', "''"), ('programme', 'e.programme')] %}
        {% if not loop.first %}union all{% endif %}
        select
            p.period,
            '{{ dimension }}' as dimension,
            {{ category }} as category,
            count(distinct e.event_id) as trainings,
            count(distinct f.event_id) as listed
        from periods as p
        {{ 'left join' if dimension == 'total' else 'join' }} {{ ref('dim_event') }} as e
            on e.event_type = 'Training'
            and e.is_held
            and e.is_organised_by_network
            and e.started_on >= p.starts_on
            and e.started_on <= p.as_of_on
            {{ 'and e.programme is not null' if dimension == 'programme' }}
        left join {{ ref('fct_attendance') }} as f on f.event_id = e.event_id
        group by p.period, {{ category if dimension == 'programme' else 'p.grain' }}
        {% endfor %}
    ) as h
{% endmacro %}

{# Counts of trainees, in all and by programme. key: what is counted once (person_key, attendance_key). #}
{% macro trainee_cells(key) %}
    select
        l.period, l.dimension, nullif(l.category, '') as category,
        case when l.is_known then count(distinct t.{{ key }}) end as numerator,
        cast(null as double precision) as denominator,
        case when l.is_known then count(distinct t.{{ key }}) end as n,
        l.expected, l.covered, l.note
    from lists as l
    left join trainees as t on t.period = l.period and t.dimension = l.dimension and t.category = l.category
    group by l.period, l.dimension, l.category, l.is_known, l.expected, l.covered, l.note
{% endmacro %}
