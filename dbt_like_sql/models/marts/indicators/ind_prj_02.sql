with periods as ({{ current_periods() }}),

-- Stated by year, so quarters have none. A year counts once both its budget and its spending are known.
finances as (

    select
        p.period, f.finance_id, f.project_id, f.line_of_action,
        case when f.budget_converted is not null and f.spent_converted is not null then f.spent_converted end as spent,
        case when f.budget_converted is not null and f.spent_converted is not null then f.budget_converted end as budget
    from periods as p
    join {{ ref('fct_project_finance') }} as f on p.grain = 'year' and cast(f.year as text) = p.period

),

cells as (

    select
        p.period, 'total' as dimension, cast(null as text) as category,
        sum(f.spent) as numerator,
        sum(f.budget) as denominator,
        count(f.spent) as n,
        count(f.finance_id) as expected,
        count(f.spent) as covered,
        case
            when p.grain = 'quarter' then 'Budget and spending of projects are stated by year.'
            when count(f.spent) < count(f.finance_id) then 'A project without budget, spending or exchange rate is not in the share.'
        end as note
    from periods as p
    left join finances as f on f.period = p.period
    group by p.period, p.grain

    {% for dimension, column in [('project', 'project_id'), ('line_of_action', 'line_of_action')] %}
    union all

    select
        period, '{{ dimension }}', {{ column }}, sum(spent), sum(budget), count(spent), count(*), count(spent),
        case when count(spent) < count(*) then 'A project without budget, spending or exchange rate is not in the share.' end
    from finances
    group by period, {{ column }}
    {% endfor %}

)

{{ figures('cells', 'percent', 'No budget with its spending is stated for this year.', unbounded='true', covers=true) }}
