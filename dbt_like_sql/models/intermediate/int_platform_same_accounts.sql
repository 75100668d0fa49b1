-- Accounts that exports name by a handle and the API by a number: the handle is, or once was, the name of the number.
with named as (

    select distinct
        platform,
        account_id,
        lower(name) as handle
    from {{ ref('stg_platforms__accounts') }}
    where platform = 'x' and name is not null

),

met as (

    select platform, account_id from {{ ref('stg_platforms__accounts') }} where platform = 'x'
    union
    select platform, account_id from {{ ref('stg_platforms__contents') }} where platform = 'x'

)

select
    m.platform,
    m.account_id,
    min(n.account_id) as same_as
from met as m
join named as n on n.platform = m.platform and n.handle = lower(m.account_id) and n.account_id <> m.account_id
group by m.platform, m.account_id
having count(distinct n.account_id) = 1
