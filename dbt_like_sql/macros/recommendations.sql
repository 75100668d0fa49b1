{# Answers to "how likely to recommend", 0 to 10, with their class: 9 and 10, 7 and 8, 0 to 6. #}
{% macro recommendations() %}
    select
        p.period,
        r.event_type,
        r.programme,
        case when r.recommendation >= 9 then 1 else 0 end as is_promoter,
        case when r.recommendation <= 6 then 1 else 0 end as is_detractor
    from periods as p
    join {{ ref('fct_survey_response') }} as r
        on r.occurred_on >= p.starts_on and r.occurred_on <= p.as_of_on
    where r.recommendation is not null
{% endmacro %}
