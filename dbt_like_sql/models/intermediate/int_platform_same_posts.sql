-- Posts that LinkedIn names in several ways: exports by activity, the API by share or ugcPost, and loads before by
-- their whole URN. The numbers are mostly the same. Where they differ, an activity and a post of the API are the
-- same when they were published within a minute, or around the same day with the same words.
with named as (

    select
        account_id,
        content_id,
        regexp_replace(content_id, '^urn:li:[A-Za-z]+:', '') as number,
        case when content_id like 'urn:%' then 1 else 0 end as is_urn,
        case when content_kind = 'activity' or content_id like 'urn:li:activity:%' then 1 else 0 end as is_activity,
        lower(substr(title, 1, 40)) as words,
        published_at,
        published_on
    from {{ ref('stg_platforms__contents') }}
    where platform = 'linkedin'

),

ordered as (

    select
        *,
        row_number() over (partition by account_id, number order by is_urn, content_id) as place,
        min(is_activity) over (partition by account_id, number) as is_only_activity
    from named

),

posts as (select * from ordered where place = 1),

pairs as (

    select
        a.content_id,
        p.content_id as same_as,
        row_number() over (
            partition by a.content_id
            order by abs({{ days_between('a.published_on', 'p.published_on') }}), p.content_id
        ) as place_of_post,
        row_number() over (
            partition by p.content_id
            order by abs({{ days_between('a.published_on', 'p.published_on') }}), a.content_id
        ) as place_of_activity
    from posts as a
    join posts as p
        on p.account_id = a.account_id and a.is_only_activity = 1 and p.is_only_activity = 0
        and (
            (
                a.published_at >= p.published_at - interval '60' second
                and a.published_at <= p.published_at + interval '60' second
            )
            or (
                a.words = p.words
                and {{ days_between('a.published_on', 'p.published_on') }} between -1 and 1
            )
        )

)

select
    'linkedin' as platform,
    o.content_id,
    coalesce(pairs.same_as, first.content_id) as same_as
from ordered as o
join posts as first on first.account_id = o.account_id and first.number = o.number
left join pairs
    on pairs.content_id = first.content_id and pairs.place_of_post = 1 and pairs.place_of_activity = 1
where o.content_id <> coalesce(pairs.same_as, first.content_id)
