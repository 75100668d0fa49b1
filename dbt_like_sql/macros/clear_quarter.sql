{#
  dbt deletes the rows whose key the new rows carry: a quarter that lost all its rows would keep the old ones.
  The pipeline's own runner does the same without this hook.
#}
{% macro clear_quarter(table) %}
    {% if is_incremental() %}delete from {{ table }} where quarter = '{{ var("quarter") }}'{% endif %}
{% endmacro %}
