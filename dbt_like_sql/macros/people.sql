{# Slots of speakers and moderators that count: attended, in a held event of the network. #}
{% macro is_speaker_slot(participation) -%}
    {{ participation }}.role in ('Speaker', 'Moderator')
    and {{ participation }}.is_held
    and {{ participation }}.has_attended
    and {{ participation }}.is_organised_by_network
{%- endmacro %}
