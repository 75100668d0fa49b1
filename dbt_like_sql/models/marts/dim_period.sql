select period, grain, quarter, starts_on, ends_before, as_of_on
from {{ ref('int_period') }}
where grain <> 'month'
