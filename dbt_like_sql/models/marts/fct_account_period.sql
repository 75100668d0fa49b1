-- Each account's figure for a quarter or a year: the one requested for exactly that period, or, for additive
-- metrics, the sum of its days. Unique figures are only ever taken as requested.
with periods as (

    select
        period,
        grain,
        starts_on,
        ends_before,
        least(ends_before, cast('{{ var("today") }}' as date)) as known_before
    from {{ ref('int_period') }}

),

figures as (

    select * from {{ ref('fct_platform_metric') }}
    where content_id = 'all'

),

asked as (

    select
        p.period,
        f.account_key,
        f.counts,
        max(f.value) as value,
        max(case when f.is_given then 1 else 0 end) = 1 as is_given,
        max(case when f.availability = 'sampled' then 1 else 0 end) = 1 as is_sampled,
        max(case when f.availability = 'thresholded' then 1 else 0 end) = 1 as is_thresholded,
        max(case when f.availability = 'no_access' then 1 else 0 end) = 1 as is_refused,
        min(case when f.availability = 'not_offered' then 1 else 0 end) = 1 as is_not_offered
    from periods as p
    join figures as f on f.starts_on = p.starts_on and f.ends_before = p.ends_before
    where f.grain in ('quarter', 'year') and p.grain in ('quarter', 'year')
    group by p.period, f.account_key, f.counts

),

first_days as (

    -- A day that the platform no longer reports is still a day of the account.
    select account_key, counts, min(starts_on) as first_on
    from figures
    where grain = 'day' and (is_given or availability in ('not_offered', 'no_access'))
    group by account_key, counts

),

summed as (

    select
        p.period,
        d.account_key,
        d.counts,
        d.first_on,
        p.starts_on,
        sum(f.value) as value,
        count(distinct case when f.is_given then f.starts_on end) as days_with_data,
        count(distinct case when f.availability = 'sampled' then f.starts_on end) as days_sampled,
        count(distinct case when f.availability = 'thresholded' then f.starts_on end) as days_thresholded,
        count(distinct case when f.availability = 'not_offered' then f.starts_on end) as days_not_offered,
        count(distinct case when f.availability = 'no_access' then f.starts_on end) as days_refused,
        {{ days_between('greatest(p.starts_on, d.first_on)', 'p.known_before') }} as days,
        {{ days_between('p.starts_on', 'p.known_before') }} as period_days
    from periods as p
    join first_days as d on d.first_on < p.known_before
    join figures as f
        on f.account_key = d.account_key and f.counts = d.counts and f.grain = 'day' and f.is_additive
        and f.starts_on >= p.starts_on and f.starts_on < p.known_before
    -- Months only of what comes by day from every account.
    where p.grain <> 'month' or f.counts = 'visits'
    group by p.period, d.account_key, d.counts, d.first_on, p.starts_on, p.known_before

),

-- A tenth of the days may be missing; with more, the sum would look like a fall.
days as (

    select
        *,
        case
            when days_with_data >= 0.9 * days and days_not_offered = 0 then 'given'
            when days_refused > 0 then 'no_access'
            when days_not_offered > 0 then 'not_offered'
            else 'missing'
        end as state,
        case
            when days_refused > 0 and days_with_data < 0.9 * days then 'The account could not be read.'
            when days_with_data = 0 then 'No day with data.'
            when days_with_data < days
                then cast(days - days_with_data as text) || ' of ' || cast(days as text) || ' days have no data.'
            when first_on > starts_on then 'Counted since ' || cast(first_on as text) || '.'
        end as gaps,
        case
            when days_sampled > 0
                then cast(days_sampled as text) || ' of ' || cast(days as text) || ' days are estimates from a sample.'
        end as estimates,
        case
            when days_thresholded > 0
                then cast(days_thresholded as text) || ' of ' || cast(days as text) || ' days are without small groups.'
        end as omissions
    from summed

),

met as (

    select period, account_key, counts from asked
    union
    select period, account_key, counts from days

)

select
    m.period,
    m.account_key,
    a.platform_title,
    a.kind,
    a.account,
    m.counts,
    case
        when q.is_given then 'given'
        when d.state = 'given' then 'given'
        when q.is_refused then 'no_access'
        when d.state is not null then d.state
        when q.is_not_offered then 'not_offered'
        else 'missing'
    end as state,
    case when q.is_given then q.value when d.state = 'given' then d.value end as value,
    case when q.is_given then null else d.days_with_data end as days_with_data,
    case when q.is_given then null else d.period_days end as period_days,
    case
        when q.is_given and q.is_sampled then 'Estimated from a sample.'
        when q.is_given and q.is_thresholded then 'Small groups are left out.'
        when q.is_given then null
        when q.is_refused and coalesce(d.state, '') <> 'given' then 'The account could not be read.'
        else
            nullif(
                trim(
                    coalesce(d.gaps, '') || coalesce(' ' || d.estimates, '') || coalesce(' ' || d.omissions, '')
                ),
                ''
            )
    end as note
from met as m
join {{ ref('dim_platform_account') }} as a on a.account_key = m.account_key
left join asked as q on q.period = m.period and q.account_key = m.account_key and q.counts = m.counts
left join days as d on d.period = m.period and d.account_key = m.account_key and d.counts = m.counts
