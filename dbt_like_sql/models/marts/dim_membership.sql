with typed as (

    select
        account_id,
        member_type,
        joined_on,
        left_on,
        changed_on,
        lag(member_type) over (partition by account_id order by changed_on) as type_before
    from {{ ref('stg_zoho_crm__account_versions') }}

),

-- For an organisation that is not a member only a leaving date matters: when its membership ended.
telling as (

    select *, count(joined_on) over (partition by account_id order by changed_on) as dates_stated
    from typed
    where member_type <> 'Non-member' or left_on is not null

),

-- An emptied joining date is not a new one: the date stated before stays valid.
stated as (

    select
        account_id, member_type, type_before, left_on, changed_on,
        max(joined_on) over (partition by account_id, dates_stated) as joined_on
    from telling

),

compared as (

    select
        *,
        row_number() over (partition by account_id order by changed_on) as place,
        lag(joined_on) over (partition by account_id order by changed_on) as joined_before,
        lag(left_on) over (partition by account_id order by changed_on) as left_before
    from stated

),

-- Another joining date opens a spell after one that had ended, or together with another type (an associate
-- becomes a member: what it was until then stays). Otherwise it corrects the beginning.
numbered as (

    select
        *,
        sum(
            case
                when joined_on = joined_before then 0
                when left_before <= joined_on then 1
                when place > 1 and joined_on is not null and member_type <> type_before
                    and (joined_before is null or joined_before < joined_on) then 1
                else 0
            end
        ) over (partition by account_id order by changed_on) as spell
    from compared

),

newest as (

    select
        account_id, spell, joined_on, left_on,
        row_number() over (partition by account_id, spell order by changed_on desc nulls last) as place
    from numbered

),

-- A later spell whose beginning was corrected to before an earlier one takes its place.
lasting as (

    select *
    from (
        select
            account_id, spell, joined_on, left_on,
            min(joined_on) over (
                partition by account_id order by spell rows between 1 following and unbounded following
            ) as next_joined_on
        from newest
        where place = 1
    ) as told
    where joined_on is null or next_joined_on is null or joined_on < next_joined_on

),

spells as (

    select *, row_number() over (partition by account_id order by spell) as number
    from lasting

)

select
    account_id || '/' || cast(number as text) as membership_id,
    account_id,
    number as spell_number,
    joined_on as began_on,
    -- No spell reaches into the next one.
    case when next_joined_on is null or left_on <= next_joined_on then left_on else next_joined_on end as ended_on
from spells
