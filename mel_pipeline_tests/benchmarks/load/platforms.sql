-- Accounts of the secretariat and of members: few are large.
create table fab_account as
select i as account, n.platform, n.kind, n.metrics, n.daily, n.platform || '-' || cast(i as text) as account_id, 40000 / pow(1 + i, 0.9) as size
from range(0, 300) as r(i)
join fab_network as n on n.place = few(5, u(i, 'network'), 1.3);

create table raw_platforms__accounts as
select
    platform,
    account_id,
    'Metropolis ' || account_id as name,
    cast(d.day as date)::text as taken_on,
    cast(cast(size * (1 + date_diff('day', date '2023-01-01', cast(d.day as date)) / 900.0) as bigint) as text) as followers,
    platform || '|' || account_id || '|' || cast(d.day as date)::text as _row_key,
    platform || '-accounts-fabricated' as _load_id,
    'fabricated' as _source_ref,
    cast(null as timestamp) as _changed_at,
    d.day + interval 1 day as _loaded_at,
    false as _is_deleted
from fab_account, range(timestamp '2023-01-01', timestamp '2025-01-31', interval 7 day) as d(day);

-- About a tenth of the figures is by account and day, the others stand with a content since its publication.
set variable contents = (
    select cast({rows} * 0.9 / avg(len(a.metrics)) as bigint)
    from range(0, 20000) as c(i)
    join fab_account as a on a.account = few(300, u(c.i, 'account'), 2.2)
);

create table fab_content as
select
    c.i,
    a.platform, a.kind, a.metrics, a.account_id, a.size,
    timestamp '2023-01-01 06:00' + to_seconds(cast(floor(u(c.i, 'posted') * 65000000) as integer)) as moment
from range(0, getvariable('contents')) as c(i)
join fab_account as a on a.account = few(300, u(c.i, 'account'), 2.2);

create table raw_platforms__contents as
select
    platform,
    account_id,
    'C' || cast(i as text) as content_id,
    kind,
    pick(['Ville', 'Agua', 'Clima', 'Vivienda', '都市', 'Mobility', 'Genre'], u(i, 'title')) || ' ' || cast(i as text)
        || case when u(i, 'tag') < 0.02 then ' #AVANTIAcampaign' else '' end as title,
    strftime(moment, '%Y-%m-%dT%H:%M:%S') || '+00:00' as published_at,
    platform || '|C' || cast(i as text) as _row_key,
    platform || '-contents-fabricated' as _load_id,
    'fabricated' as _source_ref,
    cast(null as timestamp) as _changed_at,
    moment + interval 1 day as _loaded_at,
    u(i, 'gone') < 0.01 as _is_deleted
from fab_content;

create table raw_platforms__metrics as
with figures as (

    select
        platform, account_id, 'C' || cast(i as text) as content_id, metric, 'lifetime' as grain,
        strftime(moment, '%Y-%m-%d') as period_start, cast(null as text) as period_end,
        -- Most posts are seen by few, some by millions (Pareto).
        least(900000000, size * 0.05 / pow(1 - u(i, 'seen'), 0.8) / (1 + 4 * u(i, metric))) as value,
        u(i, 'given' || metric) as given
    from (select * exclude metrics, unnest(metrics) as metric from fab_content)

    union all

    select
        platform, account_id, 'all', metric, 'day',
        strftime(day, '%Y-%m-%d'), strftime(day + interval 1 day, '%Y-%m-%d'),
        size * 0.2 / pow(1 - u(account * 1000 + date_diff('day', timestamp '2023-01-01', day), metric), 0.5),
        u(account * 1000 + date_diff('day', timestamp '2023-01-01', day), 'given' || metric)
    from (
        select account, platform, account_id, size, unnest(daily) as metric, d.day
        from fab_account, range(timestamp '2023-01-01', timestamp '2025-01-01', interval 1 day) as d(day)
    )
    where u(account * 1000 + date_diff('day', timestamp '2023-01-01', day), 'kept') < least(1.0, {rows} / 3300000.0)

)

select
    platform,
    account_id,
    content_id,
    metric,
    grain,
    period_start,
    period_end,
    case when given >= 0.03 then cast(cast(value as bigint) as text) end as value,
    case when given >= 0.03 then 'given' when given < 0.01 then 'suppressed' else 'no_data' end as availability,
    platform || '|' || account_id || '|' || content_id || '|' || metric || '|' || grain || '|' || period_start as _row_key,
    platform || '-metrics-fabricated' as _load_id,
    'fabricated' as _source_ref,
    cast(null as timestamp) as _changed_at,
    cast(period_start as timestamp) + interval 2 day as _loaded_at,
    false as _is_deleted
from figures;
