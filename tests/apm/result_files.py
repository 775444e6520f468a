"""Result files as test instruments export them, made up for tests."""

from __future__ import annotations

ANSUR = """<?xml version="1.0" encoding="utf-8"?>
<AnsurTestRecord xmlns="urn:example:ansur" version="3.1.2">
  <TestInstrument>
    <Model>ESA612</Model>
    <SerialNumber>4471023</SerialNumber>
    <CalibrationDue>2027-03-01</CalibrationDue>
  </TestInstrument>
  <TestObject>
    <DUT>
      <EquipmentNumber>{number}</EquipmentNumber>
      <SerialNumber>{serial}</SerialNumber>
      <Manufacturer>Mindray</Manufacturer>
      <Model>uMEC12</Model>
    </DUT>
    <Operator>Chen Bo</Operator>
    <TestTemplate name="IEC 62353 class I CF">
      <TestResult>
        <Name>Protective Earth Resistance</Name>
        <Performed>2026-05-04T09:12:30</Performed>
        <Measurement><Value>0.087</Value><Unit>Ohm</Unit><HighLimit>0.300</HighLimit></Measurement>
        <Status>Passed</Status>
      </TestResult>
      <TestResult>
        <Name>Insulation Resistance, Mains-PE</Name>
        <Performed>2026-05-04T09:12:55</Performed>
        <Measurement><Value>&gt; 100.0</Value><Unit>MOhm</Unit></Measurement>
        <Status>Passed</Status>
      </TestResult>
      <TestResult>
        <Name>Direct Equipment Leakage, Normal Polarity</Name>
        <Performed>2026-05-04T09:13:20</Performed>
        <Measurement><Value>{leakage}</Value><Unit>\u00b5A</Unit></Measurement>
        <Status>Passed</Status>
      </TestResult>
      <TestResult>
        <Name>Applied Part Leakage CF, ECG</Name>
        <Performed>2026-05-04T09:14:02</Performed>
        <Measurement><Value>0.0061</Value><Unit>mA</Unit></Measurement>
        <Status>Passed</Status>
      </TestResult>
    </TestTemplate>
  </TestObject>
</AnsurTestRecord>
"""
RIGEL = """Rigel Safety Report\r
Tester Model,288+\r
Tester Serial,38K-0554\r
\r
Asset ID,Asset Serial,Location,Test Date,Test Description,Reading,Units,Limit,Outcome\r
{rows}"""
RIGEL_ROWS = [
    "{n},SN-1,ICU,04/05/2026 10:11,Earthbond 200mA,0.110,\u03a9,0.300,Pass",
    "{n},SN-1,ICU,2026-05-04 10:11,Earthbond 200mA,0.110,\u03a9,0.300,Pass",
    '{n},SN-1,ICU,2026-05-04 10:12,Alternative Equipment Leakage,"612,5",uA,1000,Pass',
    "{n},SN-1,ICU,2026-05-04 10:13,Applied Part Leakage BF,\uff11\uff12\uff10,\u03bcA,5000,Pass",
]
SCHILLER = """PatientID;Lead;Amplitude mV;Interval ms
4711;II;1.02;812
"""


def ansur(number: str, *, serial: str = "SN-1", leakage: str = "142.6") -> bytes:
    """A record of one device, four tests."""
    return ANSUR.format(number=number, serial=serial, leakage=leakage).encode()


def rigel(number: str, rows: list[str] | None = None) -> bytes:
    """Three good rows; the first of `RIGEL_ROWS` has a day that can be read in two ways."""
    lines = [line.format(n=number) for line in (rows or RIGEL_ROWS[1:])]
    return RIGEL.format(rows="\r\n".join(lines)).encode("utf-8-sig")
