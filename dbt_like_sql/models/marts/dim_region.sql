with listed as (

    select position, name_en as region, map_column, map_row
    from {{ ref('stg_catalogue__regions') }}

),

unlisted as (

    select distinct region
    from {{ ref('stg_zoho_crm__account_versions') }}
    where region is not null and region not in (select region from listed)

)

select position, region, map_column, map_row from listed
union all
select 98, region, cast(null as integer), cast(null as integer) from unlisted
union all
select 99, 'Not stated', cast(null as integer), cast(null as integer)
