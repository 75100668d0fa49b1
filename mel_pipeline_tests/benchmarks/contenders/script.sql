-- What somebody would write who knows DuckDB and needs these tables once.
create or replace table dim_city as
select n.city_key, a.id as account_id, a.name as account_name, a.member_type, coalesce(a.region, 'Not stated') as region
from raw_identity__city_names n join raw_zoho_crm__accounts a on a.id = n.account_id
where not n._is_deleted and not a._is_deleted;

create or replace table dim_event as
select event_id, event_code, event_type, is_held, started_on, year(started_on) || '-Q' || quarter(started_on) as quarter
from (
    select id as event_id, code as event_code, event_type, status = 'Held' as is_held,
        (starts_at::timestamptz at time zone 'Europe/Madrid')::date as started_on
    from raw_zoho_crm__events where not _is_deleted
);

create temp table label as
select scale, label_key, min(score::integer) as score, min(code) as code
from raw_catalogue__scale_labels where not _is_deleted group by all;

create or replace table fct_response as
with r as (
    select
        r.tool || '|' || r.response_id as response_key, r.tool, e.event_id, c.account_id,
        coalesce(c.region, 'Not stated') as region, coalesce(e.event_type, 'Not known') as event_type,
        r.language, r.status, r.overall_satisfaction is not null as is_answered, s.score,
        r.recommendation::integer as recommendation,
        case when r.gender_asked is null or r.gender_asked <> 'true' then 'not_asked' when r.gender_key is null then 'not_answered'
            else coalesce(g.code, 'not_recognised') end as gender,
        r.open_comment is not null as has_comment,
        r.started_at::timestamp::date as answered_on,
        coalesce(e.started_on, answered_on) as occurred_on
    from raw_surveys__responses r
    left join dim_event e on e.event_code = r.event_code
    left join dim_city c on c.city_key = r.city_key
    left join label s on s.scale = 'satisfaction' and s.label_key = r.satisfaction_key
    left join label g on g.scale = 'gender' and g.label_key = r.gender_key
    where not r._is_deleted
)
select *, answered_on > occurred_on + 30 as is_late, year(occurred_on) || '-Q' || quarter(occurred_on) as quarter
from r;

create or replace table fct_post as
select
    c.platform || '|' || c.content_id as content_key, c.platform, c.account_id, c.title,
    (c.published_at::timestamptz at time zone 'Europe/Madrid')::date as published_on,
    year(published_on) || '-Q' || quarter(published_on) as quarter,
    f.views, f.reach, f.interactions
from raw_platforms__contents c
left join (
    select m.platform, m.content_id,
        max(m.value::bigint) filter (k.counts = 'views') as views,
        max(m.value::bigint) filter (k.counts = 'reach') as reach,
        (sum(m.value::bigint) filter (k.counts = 'interactions'))::bigint as interactions
    from raw_platforms__metrics m join raw_catalogue__metrics k using (platform, metric)
    where m.grain = 'lifetime' and not m._is_deleted
    group by all
) f using (platform, content_id)
where not c._is_deleted;

create or replace table fct_account_month as
select m.platform, m.account_id, k.counts, date_trunc('month', m.period_start::date)::date as month,
    sum(m.value::bigint)::bigint as value, count(m.value) as days
from raw_platforms__metrics m join raw_catalogue__metrics k using (platform, metric)
where m.grain = 'day' and not m._is_deleted
group by all;

create or replace table agg_satisfaction as
select quarter, region, count(*) as responses, count(score) as valid, count(*) filter (score >= 4) as satisfied,
    100.0e0 * satisfied / nullif(valid, 0) as satisfied_pct, sum(score)::double / nullif(valid, 0) as mean_score
from fct_response group by quarter, region;

create or replace table agg_recommendation as
select quarter, language, count(recommendation) as answers, count(*) filter (recommendation >= 9) as promoters,
    count(*) filter (recommendation <= 6) as detractors,
    100.0e0 * (promoters - detractors) / nullif(answers, 0) as net_promoter_score
from fct_response group by quarter, language;

create or replace table agg_gender as
select quarter, event_type, gender, responses,
    100.0e0 * responses / (sum(responses) over (partition by quarter, event_type))::double as share_pct
from (select quarter, event_type, gender, count(*) as responses from fct_response where gender <> 'not_asked' group by all);

create or replace table agg_event as
select e.event_id, e.event_type, e.quarter, count(r.response_key) as responses, count(distinct r.account_id) as cities,
    count(*) filter (r.is_late) as late, sum(r.score)::double / nullif(count(r.score), 0) as mean_score,
    median(r.score) as median_score, min(r.answered_on) as first_on, max(r.answered_on) as last_on
from dim_event e left join fct_response r using (event_id)
group by all;

create or replace table agg_reach as
select quarter, platform, count(*) as posts, sum(views)::bigint as views, sum(interactions)::bigint as interactions,
    max(views) as most_views, median(views) as median_views, count(distinct account_id) as accounts
from fct_post group by all;

create or replace table top_posts as
select quarter, platform, row_number() over (partition by quarter, platform order by views desc, content_key) as place,
    content_key, account_id, views
from fct_post where views is not null
qualify place <= 10;
