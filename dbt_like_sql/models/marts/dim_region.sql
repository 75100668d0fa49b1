with listed as (

    select position, name_en as region
    from {{ ref('stg_catalogue__regions') }}

),

unlisted as (

    select distinct region
    from {{ ref('stg_zoho_crm__account_versions') }}
    where region is not null and region not in (select region from listed)

)

select position, region from listed
union all
select 98, region from unlisted
union all
select 99, 'Not stated'
