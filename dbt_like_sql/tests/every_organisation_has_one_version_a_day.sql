{{ config(meta={'dimension': 'uniqueness'}) }}
-- Two would count a member in two regions.
select a.account_id
from {{ ref('dim_member_version') }} as a
join {{ ref('dim_member_version') }} as b on b.account_id = a.account_id and b.number = a.number + 1
where a.valid_to is distinct from b.valid_from or b.valid_from is null or b.valid_to <= b.valid_from
