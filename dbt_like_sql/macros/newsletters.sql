{#
  Cells of a rate of newsletters sent in a period: recipients who did something, each once an issue, over the
  recipients it was delivered to. A ratio of sums: never the mean of the issues' rates.
  counts: what a metric counts ('opens', 'clicks').
#}
{% macro newsletter_cells(counts) %}
    select
        p.period, 'total' as dimension, cast(null as text) as category,
        sum(case when i.is_known then i.{{ counts }} end) as numerator,
        sum(case when i.is_known then i.delivered end) as denominator,
        sum(case when i.is_known then i.delivered end) as n,
        count(i.content_key) as expected,
        count(case when i.is_known then 1 end) as covered,
        case
            when count(i.content_key) > count(case when i.is_known then 1 end)
                then cast(count(i.content_key) - count(case when i.is_known then 1 end) as text) || ' of '
                    || cast(count(i.content_key) as text) || ' issues have no count and are left out.'
        end as note
    from periods as p
    left join issues as i on i.period = p.period
    group by p.period

    union all

    select
        period, 'platform', platform_title,
        sum(case when is_known then {{ counts }} end), sum(case when is_known then delivered end),
        sum(case when is_known then delivered end),
        count(*), count(case when is_known then 1 end), null
    from issues
    group by period, platform_title
{% endmacro %}

{# Issues of newsletters sent in each period, with two of their counts. #}
{% macro newsletter_issues(counts) %}
    select
        p.period,
        c.content_key,
        c.platform_title,
        s.delivered,
        s.{{ counts }},
        s.delivered is not null and s.{{ counts }} is not null as is_known
    from periods as p
    join {{ ref('fct_platform_content') }} as c
        on c.kind = 'newsletter' and c.published_on >= p.starts_on and c.published_on < p.ends_before
    left join (
        select
            account_key,
            content_id,
            max(case when counts = 'delivered' then value end) as delivered,
            max(case when counts = '{{ counts }}' then value end) as {{ counts }}
        from {{ ref('fct_platform_metric') }}
        where grain = 'lifetime'
        group by account_key, content_id
    ) as s on s.account_key = c.account_key and s.content_id = c.content_id
{% endmacro %}
