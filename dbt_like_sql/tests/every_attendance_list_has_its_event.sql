{{ config(severity='warn', meta={
    'dimension': 'validity',
    'tells': true,
    'description': 'Every attendance list is of one event, on its day. A list that is not counts nowhere: this names it and why. Choose its event on [/workbook](/workbook#lists), or correct the day of the list or of the event in the CRM; the next run looks again.',
}) }}
select distinct list_name || ': ' || trouble || '.' as sentence
from {{ ref('int_attendance_event') }}
where trouble is not null
