select
    site_id,
    max(site_name) over (partition by site_id) as site,
    visited_on,
    visits,
    page_views,
    visits is not null as has_data
from {{ ref('stg_matomo__visits') }}
