-- Without the words: those stay in staging, for the MEL lead who codes them.
with answers as (

    -- A digest, so that a theme which was given leads nowhere once the answer is erased.
    select response_key, 'c' || substr(md5(response_key), 1, 15) as comment_id, open_comment is not null as has_text
    from {{ ref('stg_surveys__responses') }}

),

coded as (

    select
        comment_id,
        theme_1,
        theme_2,
        -- What two coders saw differently counts once they have agreed.
        case
            when agreed_theme is not null then agreed_theme
            when theme_1 is null or theme_2 is null then coalesce(theme_1, theme_2)
            when lower(theme_1) = lower(theme_2) then theme_1
        end as theme
    from {{ ref('stg_workbook__comments') }}

),

-- "More time" and "more time" are one theme.
spelled as (

    select lower(theme) as theme_key, min(theme) as theme
    from coded
    where theme is not null
    group by lower(theme)

)

select
    a.comment_id,
    a.response_key,
    r.survey,
    r.event_code,
    r.event_id,
    r.language,
    r.occurred_on,
    a.has_text,
    c.theme_1,
    c.theme_2,
    s.theme
from answers as a
join {{ ref('fct_survey_response') }} as r on r.response_key = a.response_key
left join coded as c on c.comment_id = a.comment_id
left join spelled as s on s.theme_key = lower(c.theme)
-- A comment that is no longer kept goes on counting under its theme.
where a.has_text or c.comment_id is not null
