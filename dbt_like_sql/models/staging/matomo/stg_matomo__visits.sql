select
    site_id,
    site_name,
    cast("day" as date) as visited_on,
    cast(nb_visits as bigint) as visits,
    cast(nb_actions as bigint) as page_views
from {{ source('matomo', 'visits') }}
where not _is_deleted
