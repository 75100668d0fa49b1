select
    d.deal_id,
    d.donor_account_id,
    coalesce(a.account_name, 'Not stated') as donor,
    d.pipeline,
    coalesce(d.edition, 'Not stated') as edition,
    d.stage,
    d.currency,
    d.amount,
    case
        when d.currency = '{{ var("currency") }}' then d.amount
        when d.exchange_rate > 0 then d.amount / d.exchange_rate
    end as amount_converted,
    d.stage = 'Signed' as is_signed,
    d.signed_on
from {{ ref('stg_zoho_crm__deals') }} as d
left join {{ ref('stg_zoho_crm__accounts') }} as a on a.account_id = d.donor_account_id
