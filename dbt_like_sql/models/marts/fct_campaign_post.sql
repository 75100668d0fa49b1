with posts as (

    -- Punctuation and line ends become blanks, so that #spring is not found inside #springtime.
    select
        *,
        ' ' || translate(lower(title), '.,;:!?()"' || chr(10) || chr(13) || chr(9), '            ') || ' ' as words
    from {{ ref('fct_platform_content') }}
    where kind = 'social'

)

select
    p.content_key,
    c.campaign_id,
    c.campaign_name,
    c.kind,
    p.platform_title,
    p.account,
    p.views,
    p.published_on
from posts as p
join {{ ref('stg_catalogue__campaigns') }} as c on p.words like '% ' || c.hashtag || ' %'
