create table raw_surveys__responses as
with drawn as (

    select
        i,
        few({events}, u(i, 'event'), 2.5) as event,
        few((select count(*) from fab_city), u(i, 'city'), 2) as place,
        pick(['en', 'en', 'en', 'es', 'es', 'fr', 'fr', 'pt', 'zh', 'ar', 'ko', 'fa'], u(i, 'language')) as language,
        -- Events differ: most please, some do not.
        u(i, 'score') * (0.55 + 0.45 * u(few({events}, u(i, 'event'), 2.5), 'mood')) as mood,
        pick(['zoho_survey', 'zoho_survey', 'kobo', 'google_forms', 'microsoft_forms', 'typeform'], u(few({events}, u(i, 'event'), 2.5), 'tool'))
            as tool,
        u(few({events}, u(i, 'event'), 2.5), 'asked') < 0.85 as is_gender_asked
    from range(0, {rows}) as r(i)

),

answered as (

    select
        d.*,
        e.starts_at,
        -- Most answer within days, a few a year late.
        cast(e.starts_at as timestamp) + to_minutes(cast(
            case when u(d.i, 'late') < 0.03 then 90000 + u(d.i, 'delay') * 400000 else pow(u(d.i, 'delay'), 4) * 14400 end
            as integer)) as moment,
        case
            when u(d.i, 'blank') < 0.12 then null
            when u(d.i, 'blank') < 0.15 then '0'
            when d.mood < 0.04 then '1'
            when d.mood < 0.09 then '2'
            when d.mood < 0.22 then '3'
            when d.mood < 0.52 then '4'
            else '5'
        end as score,
        case
            when u(d.i, 'gender') < 0.15 then null
            when u(d.i, 'gender') < 0.57 then 1
            when u(d.i, 'gender') < 0.95 then 2
            when u(d.i, 'gender') < 0.97 then 3
            else 4
        end as gender
    from drawn as d
    join raw_zoho_crm__events as e on e.id = '8' || lpad(cast(d.event as text), 17, '0')

)

select
    'survey_files' as source,
    a.tool,
    'R' || cast(a.i as text) as response_id,
    'survey-' || cast(a.event as text) as survey,
    'file ' || sha256(cast(a.event as text)) as origin,
    case when u(a.i, 'partial') < 0.08 then 'partial' else 'completed' end as status,
    strftime(a.moment, '%Y-%m-%dT%H:%M:%S') as started_at,
    case when u(a.i, 'partial') >= 0.08
        then strftime(a.moment + to_seconds(cast(60 + 900 * u(a.i, 'length') as integer)), '%Y-%m-%dT%H:%M:%S') end
        as completed_at,
    case
        when u(a.i, 'code') < 0.02 then null
        when u(a.i, 'code') < 0.03 then 'EV-lost-' || cast(a.event as text)
        else 'EV-' || lpad(cast(a.event as text), 6, '0')
    end as event_code,
    strftime(a.moment, '%Y-%m-%dT%H:%M:%S') || '+00:00' as answered_at,
    a.language,
    l.label as overall_satisfaction,
    cast(null as text) as satisfaction_score,
    l.key as satisfaction_key,
    cast(null as text) as satisfaction_kind,
    case when u(a.i, 'nps') < 0.8 then cast(least(10, cast(floor(3 + 9 * a.mood * u(a.i, 'shade')) as integer)) as text) end
        as recommendation,
    case when a.is_gender_asked then g.labels[a.gender] end as gender,
    case when a.is_gender_asked then g.keys[a.gender] end as gender_key,
    case when a.is_gender_asked then 'true' else 'false' end as gender_asked,
    case when u(a.i, 'where') >= 0.08 then c.name end as city,
    case when u(a.i, 'where') >= 0.08 then c.key end as city_key,
    cast(null as text) as country,
    case when u(a.i, 'comment') < 0.3
        then repeat(pick(t.texts, u(a.i, 'text')) || ' ', cast(1 + floor(pow(u(a.i, 'words'), 6) * 12) as integer)) end
        as open_comment,
    '{"Day ' || cast(a.i % 3 as text) || '": "' || cast(1 + a.i % 5 as text) || '"}' as other_answers,
    cast(null as text) as not_in_export,
    cast(null as text) as kept_from,
    a.tool || '|R' || cast(a.i as text) as _row_key,
    'survey_files-responses-' || strftime(a.moment, '%Y%m') as _load_id,
    'survey-' || cast(a.event as text) || '.csv row ' || cast(a.i as text) as _source_ref,
    a.moment as _changed_at,
    a.moment + interval 1 day as _loaded_at,
    u(a.i, 'deleted') < 0.005 as _is_deleted
from answered as a
join fab_city as c on c.place = a.place
join fab_gender as g on g.language = a.language
join fab_comment as t on t.language = a.language
left join fab_label as l on l.language = a.language and l.score = a.score;
