select count(*) filter (city_key is null) as city_key_missing, count(city_key) - count(distinct city_key) as city_key_twice from dim_city;
select count(*) filter (event_id is null) as event_id_missing, count(event_id) - count(distinct event_id) as event_id_twice,
    count(*) filter (event_code is null) as event_code_missing, count(event_code) - count(distinct event_code) as event_code_twice from dim_event;
select count(*) filter (response_key is null) as response_key_missing, count(response_key) - count(distinct response_key) as response_key_twice,
    count(*) filter (occurred_on is null) as occurred_on_missing, count(*) filter (status not in ('completed', 'partial')) as status_unknown,
    count(*) filter (gender is null) as gender_missing,
    count(*) filter (gender not in ('woman', 'man', 'non_binary', 'undisclosed', 'not_asked', 'not_answered')) as gender_unknown,
    count(*) filter (event_id not in (select event_id from dim_event)) as event_unknown from fct_response;
select count(*) filter (content_key is null) as content_key_missing, count(content_key) - count(distinct content_key) as content_key_twice,
    count(*) filter (published_on is null) as published_on_missing from fct_post;
select count(*) filter (account_id is null) as account_missing, count(*) filter (counts is null) as counts_missing from fct_account_month;
select count(*) filter (grain not in ('day', 'lifetime')) as grain_unknown from raw_platforms__metrics where not _is_deleted;
select count(*) filter (quarter is null) as quarter_missing from agg_satisfaction;
select count(*) filter (event_id is null) as agg_event_missing, count(event_id) - count(distinct event_id) as agg_event_twice,
    count(*) filter (event_id not in (select event_id from dim_event)) as agg_event_unknown from agg_event;
select count(*) filter (content_key is null) as top_missing,
    count(*) filter (content_key not in (select content_key from fct_post)) as top_unknown from top_posts
