select
    campaign_key,
    name as campaign_name,
    status,
    {{ business_day('sent_at') }} as sent_on,
    cast(emails_sent as bigint) as emails_sent,
    cast(delivered as bigint) as delivered,
    cast(opens_unique as bigint) as unique_opens,
    cast(clicks_unique as bigint) as unique_clicks,
    cast(unsubscribes as bigint) as unsubscribes,
    cast(bounces as bigint) as bounces,
    cast(complaints as bigint) as complaints
from {{ source('zoho_campaigns', 'campaigns') }}
where not _is_deleted
