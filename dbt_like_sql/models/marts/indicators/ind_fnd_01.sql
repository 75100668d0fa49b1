with periods as ({{ current_periods() }}),

-- One that is signed without a date is in no sum, and the note says so.
secured as (

    select
        p.period, c.deal_id, c.donor, c.edition,
        case when c.signed_on is not null then c.amount_converted end as amount_converted
    from periods as p
    join {{ ref('fct_contribution') }} as c
        on c.pipeline = '{{ var("fund_pipeline") | replace("'", "''") }}'
        and c.is_signed
        and (c.signed_on <= p.as_of_on or c.signed_on is null)

),

cells as (

    select
        p.period, 'total' as dimension, cast(null as text) as category,
        case when exists (select 1 from {{ ref('fct_contribution') }}) then coalesce(sum(s.amount_converted), 0) end as numerator,
        cast(null as double precision) as denominator,
        count(s.amount_converted) as n,
        count(s.deal_id) as expected,
        count(s.amount_converted) as covered,
        case
            when count(s.amount_converted) < count(s.deal_id)
                then 'Signed contributions without an amount, date or exchange rate, not in the sum: '
                    || cast(count(s.deal_id) - count(s.amount_converted) as text) || '.'
        end as note
    from periods as p
    left join secured as s on s.period = p.period
    group by p.period

    {% for dimension in ['donor', 'edition'] %}
    union all

    select
        period, '{{ dimension }}', {{ dimension }}, sum(amount_converted), null, count(amount_converted),
        count(*), count(amount_converted),
        case when count(amount_converted) < count(*) then 'A contribution without an amount, date or exchange rate is not in the sum.' end
    from secured
    group by period, {{ dimension }}
    {% endfor %}

)

{{ figures('cells', 'count', 'No contribution has been loaded from the CRM.', covers=true) }}
