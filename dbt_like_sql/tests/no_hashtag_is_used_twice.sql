{{ config(meta={'dimension': 'uniqueness'}) }}
select hashtag
from {{ ref('stg_catalogue__campaigns') }}
group by hashtag
having count(*) > 1
