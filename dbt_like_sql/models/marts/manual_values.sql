{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='quarter', on_schema_change='fail') }}
with periods as ({{ current_periods() }}),

indicators as (

    select
        i.indicator_id,
        i.aggregation,
        i.unit,
        i.is_about_people,
        i.aggregation = 'ratio' or i.denominator_text is not null as is_share,
        case when i.unit = 'percent' then 100.0 else 1.0 end as scale
    from {{ ref('dim_indicator') }} as i
    where i.is_stated

),

figures as (

    select
        f.period,
        case when f.period like '%-Q%' then f.period else f.period || '-Q1' end as first_quarter,
        f.indicator_id,
        i.aggregation,
        i.scale,
        f.dimension,
        coalesce(f.category, '') as category,
        case when f.denominator is null then coalesce(f.numerator, f.value) else f.numerator end as numerator,
        f.denominator,
        f.people,
        f.note,
        case
            when i.is_share and (f.numerator is null or f.denominator is null) then 'A share needs a numerator and a denominator.'
            when f.denominator = 0 then 'The denominator is zero.'
            when f.denominator is not null and f.numerator is null then 'A share needs a numerator and a denominator.'
            when i.is_about_people and i.unit <> 'people' and f.people is null then 'How many people it rests on is not stated.'
            when f.denominator is null and coalesce(f.numerator, f.value) is null then 'No value is stated.'
            -- Half a unit of the last digit people write.
            when f.value is not null and f.numerator is not null
                and abs(f.value - i.scale * f.numerator / coalesce(nullif(f.denominator, 0), 1)) > 0.05 * greatest(1, i.scale / 10)
                then 'The value stated does not follow from its numerator and denominator.'
        end as refusal
    from {{ ref('stg_workbook__manual_figures') }} as f
    join indicators as i on i.indicator_id = f.indicator_id

),

begun as (

    select indicator_id, min(first_quarter) as first_quarter
    from figures
    group by indicator_id

),

-- Where a figure belongs: its own period and, of a quarter, its year.
placed as (

    select p.period, p.grain, true as is_own, f.period as stated_period, f.indicator_id, f.aggregation, f.scale,
        f.dimension, f.category, f.numerator, f.denominator, f.people, f.note, f.refusal
    from periods as p
    join figures as f on f.period = p.period

    union all

    select p.period, p.grain, false, f.period, f.indicator_id, f.aggregation, f.scale,
        f.dimension, f.category, f.numerator, f.denominator, f.people, f.note, f.refusal
    from periods as p
    join figures as f on p.grain = 'year' and f.period like p.period || '-Q%'

),

-- Every indicator has a total in each period since its first figure.
places as (

    select p.period, b.indicator_id, 'total' as dimension, '' as category
    from periods as p
    join begun as b on b.first_quarter <= p.quarter

    union

    select period, indicator_id, dimension, category
    from placed

),

-- One row a place: what is stated for the period itself, and what its quarters say.
gathered as (

    select
        k.period,
        p.grain,
        k.indicator_id,
        i.aggregation,
        i.unit,
        i.scale,
        i.is_share,
        k.dimension,
        k.category,
        count(case when f.is_own then 1 end) as owns,
        max(case when f.is_own then f.numerator end) as own_numerator,
        max(case when f.is_own then f.denominator end) as own_denominator,
        max(case when f.is_own then f.people end) as own_people,
        max(case when f.is_own then f.note end) as own_note,
        max(case when f.is_own then f.refusal end) as own_refusal,
        count(case when not f.is_own then 1 end) as quarters,
        sum(case when not f.is_own then f.numerator end) as sum_numerator,
        case when count(case when not f.is_own then f.denominator end) = 4 then sum(case when not f.is_own then f.denominator end) end
            as sum_denominator,
        max(case when not f.is_own then f.numerator end) as most,
        max(case when not f.is_own then f.people end) as most_people,
        case
            when min(case when not f.is_own then f.note end) = max(case when not f.is_own then f.note end)
                and count(case when not f.is_own then f.note end) = count(case when not f.is_own then 1 end)
                then max(case when not f.is_own then f.note end)
            when count(case when not f.is_own then f.note end) > 0 then 'The notes of its quarters differ.'
        end as parts_note,
        max(case when not f.is_own and f.refusal is not null then 1 else 0 end) as refused_quarters,
        max(case when f.stated_period = k.period || '-Q4' then 1 else 0 end) as has_last,
        max(case when f.stated_period = k.period || '-Q4' then f.numerator end) as last_numerator,
        max(case when f.stated_period = k.period || '-Q4' then f.denominator end) as last_denominator,
        max(case when f.stated_period = k.period || '-Q4' then f.people end) as last_people,
        max(case when f.stated_period = k.period || '-Q4' then f.note end) as last_note,
        max(case when f.stated_period = k.period || '-Q4' then f.refusal end) as last_refusal
    from places as k
    join periods as p on p.period = k.period
    join indicators as i on i.indicator_id = k.indicator_id
    left join placed as f
        on f.period = k.period and f.indicator_id = k.indicator_id
        and f.dimension = k.dimension and f.category = k.category
    group by
        k.period, p.grain, k.indicator_id, i.aggregation, i.unit, i.scale, i.is_share, k.dimension, k.category

),

-- The year from its quarters: a level is that of the last one, amounts and shares add up. Never of some of them.
derived as (

    select
        g.*,
        g.grain = 'year' and (
            (g.aggregation = 'stock' and g.has_last = 1)
            or (g.aggregation in ('flow', 'ratio') and g.quarters = 4 and (g.is_share or g.unit not in ('percent', 'score')))
        ) as has_year,
        case when g.aggregation = 'stock' then g.last_numerator else g.sum_numerator end as year_numerator,
        case when g.aggregation = 'stock' then g.last_denominator else g.sum_denominator end as year_denominator,
        case when g.aggregation = 'stock' then g.last_people else g.most_people end as year_people,
        case when g.aggregation = 'stock' then g.last_note else g.parts_note end as year_note,
        case
            when g.aggregation = 'stock' then g.last_refusal
            when g.refused_quarters = 1 then 'A figure of its quarters cannot be used.'
        end as year_refusal
    from gathered as g

),

cells as (

    select
        d.period,
        d.indicator_id,
        d.dimension,
        d.category,
        d.scale,
        case when d.owns > 0 then d.own_numerator when d.has_year then d.year_numerator end as numerator,
        case when d.owns > 0 then d.own_denominator when d.has_year then d.year_denominator end as denominator,
        case when d.owns > 0 then d.own_people when d.has_year then d.year_people end as people,
        case when d.owns > 0 then d.own_note when d.has_year then d.year_note end as note,
        case
            when d.owns > 1 then 'It is stated more than once.'
            when d.owns = 1 and d.own_refusal is not null then d.own_refusal
            when d.owns = 1 and d.has_year and d.year_refusal is null
                and (
                    abs(d.own_numerator - d.year_numerator) > 0.000001 * greatest(1, abs(d.own_numerator))
                    or abs(coalesce(d.own_denominator, 0) - coalesce(d.year_denominator, 0)) > 0.000001
                )
                then 'The figures stated for the year and for its quarters contradict one another.'
            when d.owns = 1 and d.aggregation in ('flow', 'distinct') and not d.is_share and d.most > d.own_numerator
                then 'The figures stated for the year and for its quarters contradict one another.'
            when d.owns = 1 and d.aggregation = 'distinct' and not d.is_share and d.quarters = 4 and d.sum_numerator < d.own_numerator
                then 'The figures stated for the year and for its quarters contradict one another.'
            when d.owns = 1 then null
            when d.has_year then d.year_refusal
            when d.grain = 'quarter' then 'No figure is stated for this period.'
            when d.quarters = 0 then 'No figure is stated for this period.'
            when d.aggregation = 'distinct'
                then 'Quarters do not add up to the year, and no figure is stated for the year.'
            when d.aggregation = 'stock' then 'No figure is stated for the last quarter of the year.'
            when d.quarters < 4
                then 'Figures are stated for ' || cast(d.quarters as text) || ' of the 4 quarters of the year.'
            else 'Percentages do not add up: a share needs a numerator and a denominator.'
        end as refusal
    from derived as d

)

select
    c.indicator_id,
    c.period,
    p.grain,
    p.quarter,
    cast(c.dimension as text) as dimension,
    cast(nullif(c.category, '') as text) as category,
    case when c.refusal is null then c.scale_or_one * c.numerator / coalesce(c.denominator, 1) end as value,
    case when c.refusal is null then c.numerator end as numerator,
    case when c.refusal is null then c.denominator end as denominator,
    case when c.refusal is null then cast(coalesce(c.people, c.denominator, c.numerator) as bigint) end as n,
    -- Nobody states how they were drawn, so there is no interval.
    cast(null as double precision) as low,
    cast(null as double precision) as high,
    cast(null as double precision) as variance,
    cast(null as bigint) as expected,
    cast(null as bigint) as covered,
    case when c.refusal is null then 'ok' else 'not_available' end as status,
    coalesce(c.refusal, c.note) as note
from (
    select cells.*, case when denominator is null then 1.0 else scale end as scale_or_one
    from cells
) as c
join periods as p on p.period = c.period
